"""The Train page: starts `semc train` as a process, follows it, compares the model that it made."""
