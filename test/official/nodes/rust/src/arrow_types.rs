// One array of every Arrow type, by name. The nodes in the other languages have the same.
use dora_node_api::arrow_v59::array::*;
use dora_node_api::arrow_v59::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use dora_node_api::arrow_v59::datatypes::*;
use std::sync::Arc;

type Half = <Float16Type as ArrowPrimitiveType>::Native;

const FAR: i64 = 1 << 31;

fn primitive<T: ArrowPrimitiveType>(values: Vec<Option<T::Native>>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::from_iter(values))
}

fn item(data_type: DataType) -> FieldRef {
    Arc::new(Field::new("item", data_type, true))
}

/// Lists of [[1, null], [], null, [2]]: where each begins, how long it is, and what is in them.
const STARTS: [i32; 4] = [0, 2, 2, 2];
const SIZES: [i32; 4] = [2, 0, 0, 1];

fn listed() -> ArrayRef {
    primitive::<Int32Type>(vec![Some(1), None, Some(2)])
}

fn third_is_null() -> Option<NullBuffer> {
    Some(NullBuffer::from(vec![true, true, false, true]))
}

fn offsets<T: From<i32> + dora_node_api::arrow_v59::datatypes::ArrowNativeType>() -> ScalarBuffer<T>
{
    [0, 2, 2, 2, 3].into_iter().map(T::from).collect()
}

fn lists(made: &mut Vec<(String, ArrayRef)>) {
    let field = item(DataType::Int32);
    let starts64: ScalarBuffer<i64> = STARTS.into_iter().map(i64::from).collect();
    let sizes64: ScalarBuffer<i64> = SIZES.into_iter().map(i64::from).collect();
    let starts32 = ScalarBuffer::from(STARTS.to_vec());
    let sizes32 = ScalarBuffer::from(SIZES.to_vec());
    let small = ListArray::new(
        field.clone(),
        OffsetBuffer::new(offsets::<i32>()),
        listed(),
        third_is_null(),
    );
    let large = LargeListArray::new(
        field.clone(),
        OffsetBuffer::new(offsets::<i64>()),
        listed(),
        third_is_null(),
    );
    let view = ListViewArray::new(field.clone(), starts32, sizes32, listed(), third_is_null());
    let large_view =
        LargeListViewArray::new(field.clone(), starts64, sizes64, listed(), third_is_null());
    let six = vec![Some(1), None, None, None, Some(2), Some(3)];
    let fixed = FixedSizeListArray::new(
        field,
        2,
        primitive::<Int32Type>(six),
        Some(NullBuffer::from(vec![true, false, true])),
    );
    push(made, "list", small);
    push(made, "large_list", large);
    push(made, "list_view", view);
    push(made, "large_list_view", large_view);
    push(made, "fixed_size_list", fixed);
}

fn texts(made: &mut Vec<(String, ArrayRef)>) {
    let text = vec![Some(""), Some("grün 🚀"), None, Some("dora")];
    push(made, "string", StringArray::from(text.clone()));
    push(made, "large_string", LargeStringArray::from(text));
    let long = vec![Some(""), Some("a text longer than twelve bytes"), None];
    push(made, "string_view", StringViewArray::from(long));
    let bytes: Vec<Option<&[u8]>> = vec![Some(b""), Some(b"\x00\xff"), None];
    push(made, "binary", BinaryArray::from(bytes.clone()));
    push(made, "large_binary", LargeBinaryArray::from(bytes));
    let long: Vec<Option<&[u8]>> = vec![Some(b""), Some(b"more bytes than twelve"), None];
    push(made, "binary_view", BinaryViewArray::from_iter(long));
    let three: Vec<Option<&[u8]>> = vec![Some(b"abc"), None, Some(b"xyz")];
    let fixed = FixedSizeBinaryArray::try_from_sparse_iter_with_size(three.into_iter(), 3);
    push(made, "fixed_size_binary", fixed.unwrap());
    let whole = StringArray::from(vec![Some("cut"), Some("b"), None, Some("d"), Some("cut")]);
    push(made, "sliced", whole.slice(1, 3));
}

fn nested(made: &mut Vec<(String, ArrayRef)>) {
    let members = vec![
        Field::new("x", DataType::Float64, true),
        Field::new("name", DataType::Utf8, true),
    ];
    let columns: Vec<ArrayRef> = vec![
        primitive::<Float64Type>(vec![Some(1.5), None, None]),
        Arc::new(StringArray::from(vec![Some("a"), None, None])),
    ];
    let present = Some(NullBuffer::from(vec![true, false, true]));
    push(
        made,
        "struct",
        StructArray::new(members.into(), columns, present),
    );

    let names = MapFieldNames {
        entry: "entries".into(),
        key: "key".into(),
        value: "value".into(),
    };
    let mut map = MapBuilder::new(Some(names), StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("a");
    map.values().append_value(1);
    map.keys().append_value("b");
    map.values().append_null();
    map.append(true).unwrap();
    map.append(false).unwrap();
    map.append(true).unwrap();
    push(made, "map", map.finish());

    let keys = Int8Array::from(vec![Some(1), None, Some(0), Some(1)]);
    let colours: ArrayRef = Arc::new(StringArray::from(vec!["red", "green"]));
    push(made, "dictionary", DictionaryArray::new(keys, colours));

    let runs = RunArray::try_new(
        &Int32Array::from(vec![2, 5]),
        &Int64Array::from(vec![Some(7), None]),
    );
    push(made, "run_end_encoded", runs.unwrap());

    let tags = ListArray::new(
        item(DataType::Utf8),
        OffsetBuffer::new(vec![0, 2, 2].into()),
        Arc::new(StringArray::from(vec![Some("a"), None])),
        Some(NullBuffer::from(vec![true, false])),
    );
    let member = Field::new("tags", tags.data_type().clone(), true);
    let rows = StructArray::new(
        vec![member].into(),
        vec![Arc::new(tags)],
        Some(NullBuffer::from(vec![true, false])),
    );
    let outer = ListArray::new(
        item(rows.data_type().clone()),
        OffsetBuffer::new(vec![0, 2, 2, 2].into()),
        Arc::new(rows),
        Some(NullBuffer::from(vec![true, false, true])),
    );
    push(made, "nested", outer);
}

fn union(made: &mut Vec<(String, ArrayRef)>) {
    let fields: UnionFields = [
        (0, Arc::new(Field::new("number", DataType::Int32, true))),
        (1, Arc::new(Field::new("text", DataType::Utf8, true))),
    ]
    .into_iter()
    .collect();
    let kinds = ScalarBuffer::from(vec![0i8, 1, 0]);
    let sparse: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![1, 0, 2])),
        Arc::new(StringArray::from(vec!["", "a", ""])),
    ];
    push(
        made,
        "sparse_union",
        UnionArray::try_new(fields, kinds, None, sparse).unwrap(),
    );
}

fn integers<T: ArrowPrimitiveType>(
    made: &mut Vec<(String, ArrayRef)>,
    low: T::Native,
    high: T::Native,
) {
    let name = format!("{}", T::DATA_TYPE).to_lowercase();
    let (zero, one) = (T::Native::usize_as(0), T::Native::usize_as(1));
    let values = vec![Some(low), Some(zero), None, Some(one), Some(high)];
    made.push((name, primitive::<T>(values)));
}

fn times<Stamp, Length>(made: &mut Vec<(String, ArrayRef)>, unit: &str)
where
    Stamp: ArrowTimestampType,
    Length: ArrowPrimitiveType<Native = i64>,
{
    let stamps = vec![Some(0), None, Some(-1), Some(FAR)];
    push(
        made,
        &format!("timestamp_{unit}"),
        PrimitiveArray::<Stamp>::from_iter(stamps),
    );
    let zoned =
        PrimitiveArray::<Stamp>::from_iter(vec![Some(0), None, Some(FAR)]).with_timezone("UTC");
    push(made, &format!("timestamp_{unit}_zone"), zoned);
    let lengths = vec![Some(0), None, Some(-FAR)];
    push(
        made,
        &format!("duration_{unit}"),
        PrimitiveArray::<Length>::from_iter(lengths),
    );
}

fn clocks(made: &mut Vec<(String, ArrayRef)>) {
    let mut add = |name: &str, array: ArrayRef| made.push((name.to_owned(), array));
    add(
        "date32",
        primitive::<Date32Type>(vec![Some(0), None, Some(20_000)]),
    );
    add(
        "date64",
        primitive::<Date64Type>(vec![Some(0), None, Some(1_728_000_000_000)]),
    );
    add(
        "time32_s",
        primitive::<Time32SecondType>(vec![Some(0), None, Some(86_399)]),
    );
    add(
        "time32_ms",
        primitive::<Time32MillisecondType>(vec![Some(0), None, Some(86_399_999)]),
    );
    add(
        "time64_us",
        primitive::<Time64MicrosecondType>(vec![Some(0), None, Some(86_399_999_999)]),
    );
    add(
        "time64_ns",
        primitive::<Time64NanosecondType>(vec![Some(0), None, Some(86_399_999_999_999)]),
    );
    let interval = IntervalMonthDayNanoType::make_value(1, -2, 3);
    add(
        "month_day_nano",
        primitive::<IntervalMonthDayNanoType>(vec![Some(interval), None]),
    );
}

fn push(made: &mut Vec<(String, ArrayRef)>, name: &str, array: impl Array + 'static) {
    made.push((name.to_owned(), Arc::new(array)));
}

/// Names and arrays.
pub fn arrays() -> Vec<(String, ArrayRef)> {
    let mut made = Vec::new();
    let all = &mut made;
    push(all, "null", NullArray::new(3));
    push(
        all,
        "bool",
        BooleanArray::from(vec![Some(true), Some(false), None, Some(true)]),
    );
    let half = |value: f32| Some(Half::from_f32(value));
    push(
        all,
        "float16",
        Float16Array::from(vec![half(1.5), None, half(-2.25)]),
    );
    push(
        all,
        "float32",
        Float32Array::from(vec![Some(1.5), None, Some(f32::NEG_INFINITY)]),
    );
    push(
        all,
        "float64",
        Float64Array::from(vec![Some(0.1), None, Some(f64::INFINITY)]),
    );
    push(all, "empty", Float32Array::from(Vec::<f32>::new()));
    let small = Decimal128Array::from(vec![Some(-125), None]).with_precision_and_scale(30, 2);
    push(all, "decimal128", small.unwrap());
    let amount = dora_node_api::arrow_v59::datatypes::i256::from_i128(-125);
    let large = Decimal256Array::from(vec![Some(amount), None]).with_precision_and_scale(60, 2);
    push(all, "decimal256", large.unwrap());
    integers::<Int8Type>(all, i8::MIN, i8::MAX);
    integers::<Int16Type>(all, i16::MIN, i16::MAX);
    integers::<Int32Type>(all, i32::MIN, i32::MAX);
    integers::<Int64Type>(all, i64::MIN, i64::MAX);
    integers::<UInt8Type>(all, 0, u8::MAX);
    integers::<UInt16Type>(all, 0, u16::MAX);
    integers::<UInt32Type>(all, 0, u32::MAX);
    integers::<UInt64Type>(all, 0, u64::MAX);
    times::<TimestampSecondType, DurationSecondType>(all, "s");
    times::<TimestampMillisecondType, DurationMillisecondType>(all, "ms");
    times::<TimestampMicrosecondType, DurationMicrosecondType>(all, "us");
    times::<TimestampNanosecondType, DurationNanosecondType>(all, "ns");
    clocks(all);
    texts(all);
    lists(all);
    nested(all);
    union(all);
    made
}
