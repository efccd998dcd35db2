"""Everything at once, for as long as asked: what grows that should not?"""
