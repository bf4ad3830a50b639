//! When there is enough data for a verdict, and what each verdict is worth.

use synthetics::slo::verdict::{judge, judge_window};
use synthetics::slo::{
    Counts, Coverage, OnInconclusive, Percent, Reason, Target, Verdict, samples,
};

fn target(text: &str) -> Target {
    text.parse().expect(text)
}

#[test]
fn samples_that_prove_a_target() {
    for (text, needed) in [
        ("98%", 149),
        ("96%", 74),
        ("95%", 59),
        ("99%", 299),
        ("5%", 1),
        ("1%", 1),
    ] {
        assert_eq!(samples::for_zero_failures(target(text)), needed, "{text}");
    }
    assert_eq!(samples::for_percentile(Percent::P95), Some(20));
    assert_eq!(samples::for_percentile(Percent::whole(99)), Some(100));
    assert_eq!(samples::for_percentile(Percent::HUNDRED), None);
}

#[test]
fn too_few_samples_are_inconclusive_and_say_how_many() {
    for (text, needed) in [("98%", 149), ("96%", 74), ("95%", 59), ("99%", 299)] {
        let below = judge(Counts::new(needed - 1, 0), target(text));
        assert_eq!(
            (below.verdict, below.reason, below.needed),
            (Verdict::Inconclusive, Reason::TooFewEvents, needed)
        );
        let enough = judge(Counts::new(needed, 0), target(text));
        assert_eq!(
            (enough.verdict, enough.reason),
            (Verdict::Pass, Reason::Met)
        );
    }
    // 149 samples at 98 % have room for 2.98 bad ones.
    assert_eq!(
        judge(Counts::new(10, 2), target("98%")).verdict,
        Verdict::Inconclusive
    );
    let lost = judge(Counts::new(10, 3), target("98%"));
    assert_eq!(
        (lost.verdict, lost.reason),
        (Verdict::Fail, Reason::AlreadyLost)
    );
    let missed = judge(Counts::new(146, 3), target("98%"));
    assert_eq!(
        (missed.verdict, missed.reason),
        (Verdict::Fail, Reason::Missed)
    );
}

#[test]
fn coverage_below_nine_tenths_is_no_data() {
    let counts = Counts::new(900, 0);
    let verdict = |measured, expected, stale| {
        let coverage = Coverage { measured, expected };
        let judgement = judge_window(counts, target("98%"), coverage, stale);
        (judgement.verdict, judgement.reason)
    };
    assert_eq!(verdict(9_072, 10_080, false), (Verdict::Pass, Reason::Met));
    assert_eq!(
        verdict(9_071, 10_080, false),
        (Verdict::Inconclusive, Reason::LowCoverage)
    );
    assert_eq!(
        verdict(10_080, 10_080, true),
        (Verdict::Inconclusive, Reason::Stale)
    );
    assert_eq!(
        verdict(0, 0, false),
        (Verdict::Inconclusive, Reason::LowCoverage)
    );
}

#[test]
fn exit_codes() {
    use Verdict::{Error, Fail, Inconclusive, Pass};
    assert_eq!(
        [Pass, Fail, Error, Inconclusive].map(Verdict::exit_code),
        [0, 1, 2, 3]
    );
    assert_eq!(Verdict::worst([Pass, Inconclusive, Pass]), Inconclusive);
    assert_eq!(Verdict::worst([Fail, Inconclusive, Pass]), Fail);
    assert_eq!(Verdict::worst([Fail, Error]), Error);
    assert_eq!(OnInconclusive::Fail.apply(Inconclusive), Fail);
    assert_eq!(OnInconclusive::Pass.apply(Inconclusive), Pass);
    assert_eq!(
        OnInconclusive::Inconclusive.apply(Inconclusive),
        Inconclusive
    );
    for keep in [Pass, Fail, Error] {
        assert_eq!(OnInconclusive::Pass.apply(keep), keep);
    }
}
