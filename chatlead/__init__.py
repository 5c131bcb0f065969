"""ChatLead: live chat that a firm hosts itself or sells to others."""
