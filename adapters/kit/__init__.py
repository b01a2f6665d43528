"""The kit for whoever connects a system: a package to begin with, a simulator to stand on, settings put into words.

skeleton.py   `hub adapter new`: an installable package that passes its tests at once, from `templates/`
service.py    a small HTTP service with fault switches, for simulators
words.py      settings models walked word by word; an example of hub.toml made from them
"""
