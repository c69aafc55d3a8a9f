//! The matte chain.
