"""Pages: for whoever asks (`public`), and for the firm that answers (`account`)."""
