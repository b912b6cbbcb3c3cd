"""Import and export of conversations in other programs' formats, one format per file.

`formats` writes them; `reading` detects the format of a file and reads it. Imported text is cleaned and
bounded like all foreign text; whatever could not be imported is listed in notes.
"""
