//! What is new in a view: background model for fixed cameras, registered comparison with a baseline.
