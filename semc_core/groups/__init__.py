"""What is done by whole groups, since pictures of one patient are alike: intervals, and dealing to splits."""
