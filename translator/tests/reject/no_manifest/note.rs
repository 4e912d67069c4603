//~? E0001: cannot read
