// latin-1: ä
