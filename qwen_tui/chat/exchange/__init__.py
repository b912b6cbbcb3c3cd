"""Conversations on their way to other programs and from them: one format a file.

`formats` writes them, `reading` recognises what a file holds and reads it. What is read has been cleaned and
bounded as every foreign text is; what could not be taken over is told in notes.
"""
