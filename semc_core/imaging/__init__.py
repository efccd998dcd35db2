"""Pure functions of pictures: preprocessing, region of interest, quality, heat map."""
