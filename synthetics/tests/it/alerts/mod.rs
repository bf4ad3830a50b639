//! Burn alerts from the first reading to whoever is told.

mod states;
