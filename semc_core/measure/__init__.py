"""Measuring in pictures: ellipses, millimetres, the head's outline, gestational age and centiles."""
