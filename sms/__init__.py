"""SMS: gateways, consent per number and purpose, STOP and HELP."""
