"""Training of the five systems and of the default bundle. Nothing else imports it."""
