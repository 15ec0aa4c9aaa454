//! Boards in memory, told what the records say.
