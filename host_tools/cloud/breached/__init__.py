"""Passwords that were stolen somewhere (OWASP ASVS 5, 6.2.12): one question, two drivers.

collection.py     what a form asks, and what is said where nobody can answer
breaker.py        when a service that does not answer is asked again
range_service.py  a service of the range protocol of Have I Been Pwned
digest_file.py    a file on this computer, searched
making.py         such a file, made of the sorted download
"""
