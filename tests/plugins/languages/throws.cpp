// What a function in C++ does that does not catch its exceptions: tests/plugins/languages.rs.

extern "C" void throws() { throw 7; }
