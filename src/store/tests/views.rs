//! The views of the database, which people query.

use super::*;

#[test]
fn the_views_are_what_the_documentation_says() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    store
        .commit(&mut fleet_of_every_kind(), &progress(10), second(20))
        .unwrap();
    let documented = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/store.md")).unwrap();
    for view in [
        "jobs",
        "history",
        "entities",
        "entity_history",
        "positions",
        "logs",
        "counters",
    ] {
        let select = store.connection.prepare(&format!("SELECT * FROM {view}"));
        let mut select = select.unwrap();
        for column in select.column_names() {
            assert!(documented.contains(&format!("`{column}`")), "{view}.{column}");
        }
        assert!(select.query([]).unwrap().next().unwrap().is_some(), "{view}");
    }
    let said: String = store
        .connection
        .query_row(
            "SELECT failure_message FROM jobs WHERE state = 'FAILED'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(said, "über");
    // So that they sort, with and without a part of a second.
    for (view, column) in [
        ("jobs", "since"),
        ("history", "at"),
        ("entities", "since"),
        ("entity_history", "at"),
    ] {
        let others = format!(
            "SELECT count(*) FROM {view} WHERE {column} NOT GLOB '[0-9][0-9][0-9][0-9]-??-??T??:??:??.[0-9][0-9][0-9]Z'"
        );
        let count: u32 = store.connection.query_row(&others, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 0, "{view}");
    }
}
