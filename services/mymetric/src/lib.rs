//! mymetric
