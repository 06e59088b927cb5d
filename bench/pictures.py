"""Pictures of what was measured, as SVG: nothing is needed for it but Python."""
import html
import math

O2 = 'g++-12 -O2'
# Who it is, by what its name contains, in the order in which they stand; and always in one colour.
WHO = (('endpoint', '#0b6e4f'), ('connection', '#4db38a'), ('sockless', '#4db38a'),
       ('beast', '#c1440e'), ('websocketpp', '#e39b24'), ('buffering', '#a3a5cf'), ('wslay', '#5b5ea6'),
       ('words', '#9b3d77'), ('octets', '#c98bb0'), ('', '#999999'))
WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 74, 176, 44, 44


def text(x, y, what, anchor='start', size=12, colour='#222'):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
            f'fill="{colour}">{html.escape(what)}</text>')


def page(title, height, body):
    return '\n'.join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" role="img"><title>{html.escape(title)}</title>',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        text(16, 26, title, size=15), *body, '</svg>', ''])


def who(variant):
    return next(at for at, (name, _) in enumerate(WHO) if name in variant.lower())


def colour_of(variant):
    return WHO[who(variant)][1]


def told(value):
    return f'{value:,.0f}' if value >= 100 else f'{value:.3g}'


def ticks(low, high):
    return [10.0 ** power for power in range(math.floor(math.log10(low)),
                                             math.ceil(math.log10(high)) + 1)]


def lines(title, x_title, lines_of, roles):
    """`lines_of`: for each variant its points; both axes are logarithmic."""
    points = [point for line in lines_of.values() for point in line]
    xs, ys = sorted({x for x, _ in points}), ticks(min(y for _, y in points), max(y for _, y in points))
    span_x = math.log(xs[-1] / xs[0]) or 1
    span_y = math.log(ys[-1] / ys[0]) or 1

    def at_x(x):
        return LEFT + math.log(x / xs[0]) / span_x * (WIDTH - LEFT - RIGHT)

    def at_y(y):
        return HEIGHT - BOTTOM - math.log(y / ys[0]) / span_y * (HEIGHT - TOP - BOTTOM)

    body = []
    for y in ys:
        body.append(f'<path d="M{LEFT} {at_y(y):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        body.append(text(LEFT - 8, at_y(y) + 4, told(y), 'end'))
    for x in xs:
        body.append(text(at_x(x), HEIGHT - BOTTOM + 18, told(x), 'middle'))
    body.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_title, 'middle'))
    ends = []
    for variant, line in lines_of.items():
        path = 'L'.join(f'{at_x(x):.1f} {at_y(y):.1f}' for x, y in sorted(line))
        width = 3 if roles[variant] == 'ours' else 1.8
        body.append(f'<path d="M{path}" fill="none" stroke="{colour_of(variant)}" '
                    f'stroke-width="{width}"/>')
        ends.append((at_y(max(line)[1]), variant))
    last = -99.0
    for y, variant in sorted(ends):
        last = max(y, last + 15)
        body.append(text(WIDTH - RIGHT + 8, last + 4, variant, colour=colour_of(variant)))
    return page(title, HEIGHT, body)


def bars(title, rows, unit):
    """`rows`: (what, variant, value)."""
    high = max(row[2] for row in rows)
    body = []
    y = TOP
    before = None
    for what, variant, value in rows:
        if what != before and what:
            y += 8
            body.append(text(16, y + 12, what, size=13))
            y += 20
        before = what
        width = value / high * (WIDTH - 330)
        body.append(text(230, y + 12, variant, 'end'))
        body.append(f'<rect x="238" y="{y}" width="{max(width, 1):.1f}" height="15" '
                    f'fill="{colour_of(variant)}"/>')
        body.append(text(244 + width, y + 12, told(value) + unit))
        y += 20
    return page(title, y + 16, body)


# ---- which ----

def of_question(entries, prefix, suffix='', build=O2):
    for entry in entries:
        name = entry['name']
        if entry['build'] == build and name.startswith(prefix) and name.endswith(suffix):
            size = name[len(prefix):len(name) - len(suffix)]
            if size.isdigit() and entry['ns']:
                yield int(size), entry


def by_size(entries, title, prefix, suffix, value):
    found, roles = {}, {}
    for size, entry in of_question(entries, prefix, suffix):
        if size > 0:
            found.setdefault(entry['variant'], []).append((size, value(size, entry['ns'])))
            roles[entry['variant']] = entry['role']
    return lines(title, 'octets', found, roles) if found else None


def rows_of(entries, prefix, value):
    rows = [(entry['name'][len(prefix):].strip(), entry['variant'], value(entry))
            for entry in entries if entry['name'].startswith(prefix) and value(entry)]
    return sorted(rows, key=lambda row: (row[0].split()[::-1], who(row[1])))


def draw(entries, folder):
    folder.mkdir(exist_ok=True)
    echo = rows_of(entries, 'echo', lambda entry: entry['ns'] / 1000)
    memory = rows_of(entries, 'memory', lambda entry: entry.get('octets'))
    size = rows_of(entries, 'size', lambda entry: entry.get('octets'))
    cost = rows_of(entries, 'compile', lambda entry: entry['ns'] / 1e9)
    made = {
        'receive': by_size(entries, f'Receiving text: GB/s, {O2}', 'receive ', ' ascii',
                           lambda size, ns: size / ns),
        'unmask': by_size(entries, f'Unmasking in place: GB/s, {O2}', 'unmask ', '',
                          lambda size, ns: size / ns),
        'echo': bars('Echo over loopback: the server\'s time per message', echo, ' us')
                if echo else None,
        'memory': bars('Memory of an open connection that is idle: octets', memory, '')
                  if memory else None,
        'size': bars('Code of an echo server on x86-64, -Os: octets', size, '') if size else None,
        'compile': bars('Compiling an include at -O2: seconds of the processor', cost, ' s')
                   if cost else None,
    }
    for name, picture in made.items():
        if picture:
            (folder / f'{name}.svg').write_text(picture)
