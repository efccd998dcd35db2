"""The region finder's network: screens drawn at random, training on them, and measuring."""
