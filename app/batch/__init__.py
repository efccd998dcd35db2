"""Several loops: the list of them, analysed one after another behind the window, each opened in review."""
