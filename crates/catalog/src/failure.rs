//! The macro that makes a failure kind out of one file.

/// Defines `KIND`: the doc comment becomes the page that `explain` prints.
///
/// ```text
/// failure! {
///     /// # A title in one line
///     ///
///     /// ## Signs
///     /// ...
///     id: "pod-example-failing",
///     also: ["another-id-of-it"], // may be left out
///     mechanisms: { "word-for-it": "What it means.", },
///     reads: [Pod, Event],
///     leads_to: ["service-without-endpoints"],
///     detect: Apps(detect), // or Nodes, Services, Claims, Cluster; `Exposure` without function
///     exposed, remedy, prevent, rehearse
/// }
/// ```
macro_rules! failure {
    (
        $(#[doc = $line:literal])+
        id: $id:literal,
        $(also: [$($other:literal),* $(,)?],)?
        mechanisms: { $( $mechanism:literal : $meaning:literal ),* $(,)? },
        reads: [$($kind:ident),* $(,)?],
        leads_to: [$($effect:literal),* $(,)?],
        detect: $scope:ident $(($detect:path))?,
        exposed: $exposed:expr,
        remedy: $remedy:expr,
        prevent: $prevent:expr,
        rehearse: $rehearse:expr $(,)?
    ) => {
        $(#[doc = $line])+
        pub(crate) const KIND: model::FailureKind = model::FailureKind {
            id: $id,
            also: &[ $($($other),*)? ],
            page: concat!($($line, "\n"),+),
            mechanisms: &[ $( model::Mechanism { id: $mechanism, meaning: $meaning } ),* ],
            reads: &[ $( model::Kind::$kind ),* ],
            leads_to: &[ $($effect),* ],
            detect: model::Detect::$scope $(($detect))?,
            exposed: $exposed,
            remedy: $remedy,
            prevent: $prevent,
            rehearse: $rehearse,
        };
    };
}
