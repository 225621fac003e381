//! Example: contractors get a viewer's role whatever their groups say
