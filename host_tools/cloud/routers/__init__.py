"""Which router is whose: the factory's records, claims, release, and what an owner may ask of a router."""
