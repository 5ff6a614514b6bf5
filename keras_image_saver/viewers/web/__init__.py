"""What the pages are made of: one document of a style and a script, and the parts of both."""
