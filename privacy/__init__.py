"""Privacy requests, retention and policies; erasure by kind of personal data."""
