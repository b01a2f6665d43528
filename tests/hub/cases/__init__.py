"""Cases: what was not reported, wrong or inconsistent; terms, notices, waivers."""
