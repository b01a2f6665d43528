"""The console: pages for operators and senders, made on the server; they work without JavaScript."""
