//! What a published lesson consists of: paths, manifest, catalogue.
