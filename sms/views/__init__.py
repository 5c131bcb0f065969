"""Entrances: the provider's webhooks, the page where people agree, and the pages of `/account/sms/`."""
