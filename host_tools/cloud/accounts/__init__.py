"""People: sign-up, sign-in, authenticators, recovery codes, sessions, throttling. Decisions are pure."""
