"""Bytes of strangers: uvicorn's connections with bounds that it has not (D-1, D-3, D-5)."""
