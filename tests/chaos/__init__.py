"""`./run chaos`: processes, broker and database killed at random while data come in; nothing may be lost."""
