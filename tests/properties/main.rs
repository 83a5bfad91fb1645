//! Properties of the whole: on random packs and random streams, both engines, at every worker count, give what a naive
//! recomputation gives.

mod oracle;
