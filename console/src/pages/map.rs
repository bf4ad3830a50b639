//! The drawing of the service map: callers left, called ones right, in columns by the longest way from where requests come in. A call that
//! skips columns gets a place of its own in each of them, so that its line crosses no box.

use std::collections::HashMap;

use crate::view::overview::{Edge, Node, Overview};

const BOX_WIDTH: f64 = 188.0;
const BOX_HEIGHT: f64 = 84.0;
const COLUMN: f64 = BOX_WIDTH + 118.0;
const ROW: f64 = BOX_HEIGHT + 44.0;
const MARGIN: f64 = 16.0;
/// Labels whose middles are closer than this would lie on each other.
const LABEL: (f64, f64) = (96.0, 56.0);
/// A larger map is not drawn: the table below it says the same and can be read.
const LARGEST: usize = 60;

/// A map, placed.
pub(super) struct Drawing<'a> {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) boxes: Vec<Placed<'a>>,
    pub(super) lines: Vec<Line<'a>>,
}

/// A node in its place: `x` and `y` are its upper left corner.
pub(super) struct Placed<'a> {
    pub(super) node: &'a Node,
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A call: a path, and the place of its label.
pub(super) struct Line<'a> {
    pub(super) edge: &'a Edge,
    pub(super) path: String,
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A place in a column: a node, or where a long call passes through.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Node(usize),
    Through(usize),
}

impl Drawing<'_> {
    pub(super) fn box_width(&self) -> f64 {
        BOX_WIDTH
    }

    pub(super) fn box_height(&self) -> f64 {
        BOX_HEIGHT
    }
}

/// Places what calls or is called. `None` if nothing does, or too much.
pub(super) fn draw(overview: &Overview) -> Option<Drawing<'_>> {
    let nodes: Vec<&Node> = overview
        .nodes
        .iter()
        .filter(|node| {
            overview
                .edges
                .iter()
                .any(|e| e.from == node.name || e.to == node.name)
        })
        .collect();
    if nodes.is_empty() || nodes.len() > LARGEST {
        return None;
    }
    let index: HashMap<&str, usize> = nodes
        .iter()
        .enumerate()
        .map(|(i, n)| (n.name.as_str(), i))
        .collect();
    // A caller that is no node sends nothing any more: its calls fade, too.
    let edges: Vec<(&Edge, usize, usize)> = overview
        .edges
        .iter()
        .filter_map(|edge| {
            Some((
                edge,
                *index.get(edge.from.as_str())?,
                *index.get(edge.to.as_str())?,
            ))
        })
        .collect();
    let column = columns(nodes.len(), &edges);
    let mut places: Vec<Vec<Place>> = vec![Vec::new(); column.iter().max()? + 1];
    for (node, &at) in column.iter().enumerate() {
        places.get_mut(at)?.push(Place::Node(node));
    }
    for (call, &(_, from, to)) in edges.iter().enumerate() {
        let (left, right) = (*column.get(from)?, *column.get(to)?);
        for between in (left + 1)..right {
            places.get_mut(between)?.push(Place::Through(call));
        }
    }
    order(&mut places, &edges);

    let tallest = places.iter().map(Vec::len).max()?;
    let height = tallest as f64 * ROW - (ROW - BOX_HEIGHT) + 2.0 * MARGIN;
    let middle = |at: usize, row: usize| {
        let rows = places.get(at).map_or(1, Vec::len);
        let top = (height - (rows as f64 * ROW - (ROW - BOX_HEIGHT))) / 2.0;
        top + row as f64 * ROW + BOX_HEIGHT / 2.0
    };
    let mut y_of_node = vec![0.0; nodes.len()];
    let mut y_of_through: HashMap<(usize, usize), f64> = HashMap::new();
    for (at, column) in places.iter().enumerate() {
        for (row, place) in column.iter().enumerate() {
            match *place {
                Place::Node(node) => *y_of_node.get_mut(node)? = middle(at, row),
                Place::Through(call) => drop(y_of_through.insert((call, at), middle(at, row))),
            }
        }
    }
    let x_of = |at: usize| MARGIN + at as f64 * COLUMN;
    let lines = edges
        .iter()
        .enumerate()
        .filter_map(|(call, &(edge, from, to))| {
            let (left, right) = (*column.get(from)?, *column.get(to)?);
            let start = (x_of(left) + BOX_WIDTH, *y_of_node.get(from)?);
            let end = (x_of(right), *y_of_node.get(to)?);
            let mut points = vec![start];
            for between in (left + 1)..right {
                let y = *y_of_through.get(&(call, between))?;
                points.push((x_of(between), y));
                points.push((x_of(between) + BOX_WIDTH, y));
            }
            points.push(end);
            Some(line(edge, &points, right <= left))
        });
    let mut lines: Vec<Line<'_>> = lines.collect();
    part(&mut lines);
    let boxes = nodes.iter().enumerate().filter_map(|(at, node)| {
        Some(Placed {
            node,
            x: x_of(*column.get(at)?),
            y: y_of_node.get(at)? - BOX_HEIGHT / 2.0,
        })
    });
    Some(Drawing {
        width: places.len() as f64 * COLUMN - (COLUMN - BOX_WIDTH) + 2.0 * MARGIN,
        height,
        boxes: boxes.collect(),
        lines,
    })
}

/// The column of each node: one further than all who call it. A circle is cut where it comes back.
fn columns(nodes: usize, edges: &[(&Edge, usize, usize)]) -> Vec<usize> {
    fn visit(
        node: usize,
        edges: &[(&Edge, usize, usize)],
        column: &mut [Option<usize>],
        open: &mut [bool],
    ) -> usize {
        if let Some(Some(known)) = column.get(node) {
            return *known;
        }
        if let Some(open) = open.get_mut(node) {
            *open = true;
        }
        let callers = edges
            .iter()
            .filter(|(_, from, to)| *to == node && from != to);
        let mut at = 0;
        for &(_, from, _) in callers {
            if open.get(from) == Some(&false) {
                at = at.max(visit(from, edges, column, open) + 1);
            }
        }
        if let (Some(open), Some(column)) = (open.get_mut(node), column.get_mut(node)) {
            *open = false;
            *column = Some(at);
        }
        at
    }
    // Not deeper than there are nodes, and those are few.
    let (mut column, mut open) = (vec![None; nodes], vec![false; nodes]);
    (0..nodes)
        .map(|node| visit(node, edges, &mut column, &mut open))
        .collect()
}

/// Sorts each column by the mean place of its callers in the one before, which keeps most lines apart (Sugiyama's barycentre rule).
fn order(places: &mut [Vec<Place>], edges: &[(&Edge, usize, usize)]) {
    for at in 1..places.len() {
        let before = places.get(at - 1).cloned().unwrap_or_default();
        let row = |wanted: Place| before.iter().position(|place| *place == wanted);
        let caller = |call: usize| {
            let from = edges.get(call)?.1;
            row(Place::Through(call)).or_else(|| row(Place::Node(from)))
        };
        let mean = |place: &Place| -> f64 {
            let rows: Vec<usize> = match *place {
                Place::Through(call) => caller(call).into_iter().collect(),
                Place::Node(node) => (0..edges.len())
                    .filter(|call| edges.get(*call).is_some_and(|edge| edge.2 == node))
                    .filter_map(caller)
                    .collect(),
            };
            if rows.is_empty() {
                return f64::MAX;
            }
            rows.iter().sum::<usize>() as f64 / rows.len() as f64
        };
        if let Some(column) = places.get_mut(at) {
            column.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
        }
    }
}

fn line<'a>(edge: &'a Edge, points: &[(f64, f64)], backward: bool) -> Line<'a> {
    use std::fmt::Write as _;
    let mut path = String::new();
    let (mut x, mut y) = points.first().copied().unwrap_or_default();
    let _ = write!(path, "M{x:.0} {y:.0}");
    for (at, &(to_x, to_y)) in points.iter().enumerate().skip(1) {
        if at % 2 == 0 {
            // Through a column, straight.
            let _ = write!(path, "L{to_x:.0} {to_y:.0}");
        } else {
            let bend = if backward {
                90.0
            } else {
                (to_x - x).abs() * 0.5
            };
            let _ = write!(
                path,
                "C{:.0} {y:.0} {:.0} {to_y:.0} {to_x:.0} {to_y:.0}",
                x + bend,
                to_x - bend
            );
        }
        (x, y) = (to_x, to_y);
    }
    // The label stands in the gap before the last column, where lines of different calls are furthest apart.
    let last = points.len().saturating_sub(1);
    let (from, to) = (
        points
            .get(last.saturating_sub(1))
            .copied()
            .unwrap_or_default(),
        points.get(last).copied().unwrap_or_default(),
    );
    Line {
        edge,
        path,
        x: f64::midpoint(from.0, to.0),
        y: f64::midpoint(from.1, to.1),
    }
}

/// Moves labels down that would lie on one above them.
fn part(lines: &mut [Line<'_>]) {
    lines.sort_by(|a, b| a.y.total_cmp(&b.y));
    for at in 1..lines.len() {
        let (above, below) = lines.split_at_mut(at);
        let Some(line) = below.first_mut() else {
            return;
        };
        for other in above.iter() {
            if (other.x - line.x).abs() < LABEL.0 && line.y - other.y < LABEL.1 {
                line.y = other.y + LABEL.1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::map::NodeKind;
    use crate::aggregate::red::Red;

    fn overview(calls: &[(&str, &str)]) -> Overview {
        let mut names: Vec<&str> = calls.iter().flat_map(|(a, b)| [*a, *b]).collect();
        names.sort_unstable();
        names.dedup();
        Overview {
            window_s: 60.0,
            nodes: names
                .into_iter()
                .map(|name| Node {
                    name: name.into(),
                    kind: NodeKind::Service,
                    versions: vec![],
                    traced: true,
                    answers: true,
                    red: Red::default(),
                })
                .collect(),
            edges: calls
                .iter()
                .map(|(from, to)| Edge {
                    from: (*from).into(),
                    to: (*to).into(),
                    kind: NodeKind::Service,
                    red: Red::default(),
                })
                .collect(),
        }
    }

    const SHOP: &[(&str, &str)] = &[
        ("productpage", "details"),
        ("productpage", "reviews"),
        ("productpage", "ratings"),
        ("reviews", "ratings"),
        ("ratings", "dynamodb"),
        ("details", "dynamodb"),
        ("reviews", "dynamodb"),
    ];

    #[test]
    fn callers_stand_left_of_what_they_call_and_boxes_apart() {
        let overview = overview(SHOP);
        let drawing = draw(&overview).unwrap();
        let x = |name: &str| {
            drawing
                .boxes
                .iter()
                .find(|b| b.node.name == name)
                .unwrap()
                .x
        };
        for (from, to) in SHOP {
            assert!(x(from) + BOX_WIDTH < x(to), "{from} {to}");
        }
        for (i, a) in drawing.boxes.iter().enumerate() {
            assert!(
                a.x >= 0.0
                    && a.y >= 0.0
                    && a.x + BOX_WIDTH <= drawing.width
                    && a.y + BOX_HEIGHT <= drawing.height
            );
            for b in &drawing.boxes[i + 1..] {
                assert!((a.x - b.x).abs() >= BOX_WIDTH || (a.y - b.y).abs() >= BOX_HEIGHT);
            }
        }
        assert_eq!(drawing.lines.len(), SHOP.len());
        for (i, a) in drawing.lines.iter().enumerate() {
            for b in &drawing.lines[i + 1..] {
                assert!((a.x - b.x).abs() >= LABEL.0 || (a.y - b.y).abs() >= LABEL.1);
            }
        }
    }

    #[test]
    fn circles_end() {
        let circle = overview(&[("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")]);
        assert_eq!(draw(&circle).unwrap().lines.len(), 4);
    }

    #[test]
    fn nothing_and_too_much_is_not_drawn() {
        assert!(draw(&overview(&[])).is_none());
        let names: Vec<String> = (0..100).map(|n| format!("s{n}")).collect();
        let calls: Vec<(&str, &str)> = names
            .windows(2)
            .map(|w| (w[0].as_str(), w[1].as_str()))
            .collect();
        assert!(draw(&overview(&calls)).is_none());
    }
}
