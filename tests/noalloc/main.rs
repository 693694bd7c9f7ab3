//! Forwarding allocates nothing: to be measured when the path stands.
