fn f( { //~ E0003: this is not a sequence of Rust tokens
