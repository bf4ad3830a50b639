//! productpage
