//! The explanation as JSON: the gate's own form for the objective and its checks, and beside it
//! what explains it.

use serde_json::{Value, json};

use super::Explained;
use super::steps::{counts, steps, verdict};
use super::worst::Found;
use crate::report;
use crate::slo::Ratio;

pub(crate) fn json(explained: &Explained) -> Value {
    let mut value = report::json(&explained.report);
    let evaluation = &explained.evaluation;
    let (_, why) = verdict(evaluation);
    let counted: Vec<_> = counts(evaluation)
        .into_iter()
        .map(|(name, count, meaning)| json!({ "name": name, "count": u64::try_from(count).unwrap_or(u64::MAX), "counts_as": meaning }))
        .collect();
    let worked: Vec<_> = steps(evaluation)
        .into_iter()
        .map(|step| {
            json!({
                "name": step.name,
                "formula": step.formula,
                "numbers": step.numbers,
                "value": step.value,
                "note": step.note,
            })
        })
        .collect();
    let locations: Vec<_> = explained
        .locations
        .iter()
        .map(|(name, by_itself)| {
            let mut value = report::objective_json(by_itself);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("location".to_owned(), name.to_string().into());
            }
            value
        })
        .collect();
    let number = |ratio: Option<Ratio>| ratio.map(Ratio::to_f64);
    let alerts = explained.burn.as_ref().map(|readings| -> Vec<Value> {
        let reading = |reading: &crate::history::view::BurnReading| {
            json!({
                "long_seconds": reading.alert.long().as_secs(),
                "short_seconds": reading.alert.short().as_secs(),
                "factor": reading.alert.factor().to_f64(),
                "long": number(reading.long),
                "short": number(reading.short),
                "fires": reading.firing,
            })
        };
        readings.iter().map(reading).collect()
    });
    if let Some(fields) = value.as_object_mut() {
        fields.insert("why".to_owned(), why.into());
        fields.insert("counted".to_owned(), counted.into());
        fields.insert("worked_out".to_owned(), worked.into());
        fields.insert("locations".to_owned(), locations.into());
        fields.insert("burn_alerts".to_owned(), json!(alerts));
        fields.insert(
            "worst".to_owned(),
            explained.worst.iter().map(worst).collect(),
        );
    }
    value
}

fn worst(found: &Found) -> Value {
    let mut value = report::noted_json(&found.probe);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("check".to_owned(), found.check.to_string().into());
        fields.insert("location".to_owned(), found.location.to_string().into());
    }
    value
}
