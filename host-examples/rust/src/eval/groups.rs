//! Figures by a property of the objects that a table states: their size, how they move, who they are.

use std::{collections::HashMap, path::Path};

use super::score::Score;
use crate::{Error, Result};

/// What objects without a row are counted under.
const UNKNOWN: &str = "(none)";

/// Which value of a column each object has.
#[derive(Clone, Debug)]
pub struct Groups {
    /// The column.
    pub column: String,
    by: HashMap<(String, Option<String>), String>,
}

impl Groups {
    /// Reads a table with headings: `sequence`, `object` where a row is one object's, and the column wanted.
    ///
    /// # Errors
    /// If it is no such table.
    pub fn read(path: &Path, column: &str) -> Result<Self> {
        let unreadable =
            |error: csv::Error| Error::file(path, format!("it can't be read as a table: {error}"));
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(unreadable)?;
        let headings = reader.headers().map_err(unreadable)?.clone();
        let place = |name: &str| headings.iter().position(|heading| heading == name);
        let missing = |name: &str| {
            let found = headings.iter().collect::<Vec<_>>().join(", ");
            Error::file(path, format!("it has no column `{name}`, found {found}"))
        };
        let sequence = place("sequence").ok_or_else(|| missing("sequence"))?;
        let value = place(column).ok_or_else(|| missing(column))?;
        let object = place("object");
        let mut by = HashMap::new();
        for record in reader.records() {
            let record = record.map_err(unreadable)?;
            let cell = |place: usize| record.get(place).unwrap_or_default().to_owned();
            let object = object.map(cell).filter(|name| !name.is_empty());
            by.insert((cell(sequence), object), cell(value));
        }
        Ok(Self { column: column.to_owned(), by })
    }

    /// The value of a score's object: its own row's, otherwise its sequence's.
    pub fn of(&self, score: &Score) -> &str {
        let sequence = || score.sequence.clone();
        let own = self.by.get(&(sequence(), Some(score.object.clone())));
        own.or_else(|| self.by.get(&(sequence(), None))).map_or(UNKNOWN, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn groups(text: &str, column: &str) -> Result<Groups> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("meta.csv");
        fs::write(&path, text).unwrap();
        Groups::read(&path, column)
    }

    #[test]
    fn an_objects_own_row_comes_before_its_sequences() {
        let groups = groups("sequence,object,size\nbear,,large\nbear, 2 ,\"small, far\"\n", "size").unwrap();
        let of = |sequence: &str, object: &str| {
            let score = Score { sequence: sequence.into(), object: object.into(), ..Score::default() };
            groups.of(&score).to_owned()
        };
        assert_eq!([of("bear", "1"), of("bear", "2"), of("cow", "1")], ["large", "small, far", "(none)"]);
    }

    #[test]
    fn a_table_without_the_column_names_those_that_it_has() {
        let said = groups("sequence,size\nbear,large\n", "motion").unwrap_err().to_string();
        assert!(said.ends_with("it has no column `motion`, found sequence, size"), "{said}");
        let said = groups("name,size\nbear,large\n", "size").unwrap_err().to_string();
        assert!(said.ends_with("it has no column `sequence`, found name, size"), "{said}");
        let said = groups("sequence,size\nbear\n", "size").unwrap_err().to_string();
        assert!(said.contains("it can't be read as a table"), "{said}");
    }
}
