//! The command center: intake from the bus, cases, API, live feed, operator UI.
