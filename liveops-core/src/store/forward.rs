//! The traits through pointers.
