//! Only its dependencies are of use.
