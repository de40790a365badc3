"""One file a kind of document: its bytes as lines of text, headings marked. All of it is untrusted input."""
