"""The portal's seven languages: sentences, whose language it is, dates and figures."""
