"""Sharing: grants, looks, exports, the file of one subject."""
