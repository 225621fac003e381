//! Who may use the application, from the directory
