"""Exit surveys: questions by version, answers to the version answered."""
