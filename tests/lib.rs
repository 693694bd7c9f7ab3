//! Whole-system tests; see the folders beside this file.
