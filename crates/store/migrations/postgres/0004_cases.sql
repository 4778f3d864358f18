-- The catalogue by codes: category (大类) and class (小类) as in GB/T 30428.2, and what the law says. Local tables differ; an
-- administrator edits them.
ALTER TABLE kinds ADD COLUMN category_code TEXT NOT NULL DEFAULT '';
ALTER TABLE kinds ADD COLUMN category_zh TEXT NOT NULL DEFAULT '';
ALTER TABLE kinds ADD COLUMN category_en TEXT NOT NULL DEFAULT '';
ALTER TABLE kinds ADD COLUMN class_code TEXT NOT NULL DEFAULT '';
ALTER TABLE kinds ADD COLUMN basis_zh TEXT NOT NULL DEFAULT '';
ALTER TABLE kinds ADD COLUMN basis_en TEXT NOT NULL DEFAULT '';
UPDATE kinds SET category_code = '01', category_zh = '市容环境', category_en = 'City appearance and environment';
UPDATE kinds SET category_code = '05', category_zh = '街面秩序', category_en = 'Street order'
    WHERE code IN ('occupied_roadway', 'misparked_ebike', 'store_overflow', 'street_vendor');
UPDATE kinds SET category_code = '06', category_zh = '扩展事件', category_en = 'Local extensions'
    WHERE code IN ('stray_dog', 'charging_cable', 'illegal_renovation');
UPDATE kinds SET class_code = '0101', basis_zh = '《中华人民共和国城乡规划法》第六十四条', basis_en = 'Urban and Rural Planning Law of the PRC, article 64'
    WHERE code = 'rooftop_structure';
UPDATE kinds SET class_code = '0507', basis_zh = '《城市市容和环境卫生管理条例》第十四条', basis_en = 'Regulations on City Appearance and Environmental Sanitation, article 14'
    WHERE code = 'occupied_roadway';
UPDATE kinds SET class_code = '0601', basis_zh = '《中华人民共和国动物防疫法》第三十条', basis_en = 'Animal Epidemic Prevention Law of the PRC, article 30'
    WHERE code = 'stray_dog';
UPDATE kinds SET class_code = '0506', basis_zh = '《中华人民共和国道路交通安全法》第五十九条', basis_en = 'Road Traffic Safety Law of the PRC, article 59'
    WHERE code = 'misparked_ebike';
UPDATE kinds SET class_code = '0504', basis_zh = '《城市市容和环境卫生管理条例》第十四条', basis_en = 'Regulations on City Appearance and Environmental Sanitation, article 14'
    WHERE code = 'store_overflow';
UPDATE kinds SET class_code = '0501', basis_zh = '《城市市容和环境卫生管理条例》第十四条', basis_en = 'Regulations on City Appearance and Environmental Sanitation, article 14'
    WHERE code = 'street_vendor';
UPDATE kinds SET class_code = '0102', basis_zh = '《城市市容和环境卫生管理条例》第三十四条', basis_en = 'Regulations on City Appearance and Environmental Sanitation, article 34'
    WHERE code = 'dumped_waste';
UPDATE kinds SET class_code = '0106', basis_zh = '《城市绿化条例》', basis_en = 'Regulations on Urban Greening'
    WHERE code = 'green_space_planting';
UPDATE kinds SET class_code = '0602', basis_zh = '《高层民用建筑消防安全管理规定》第三十七条', basis_en = 'Provisions on Fire Safety of High-rise Civil Buildings, article 37'
    WHERE code = 'charging_cable';
UPDATE kinds SET class_code = '0603', basis_zh = '《住宅室内装饰装修管理办法》第五条', basis_en = 'Measures for Interior Decoration of Housing, article 5'
    WHERE code = 'illegal_renovation';

-- Offices that handle cases, from the grid up to the departments of the city.
CREATE TABLE departments (
    id TEXT PRIMARY KEY,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('grid', 'community', 'street', 'department')),
    parent TEXT,
    -- Sites that it is there for; empty for all.
    sites JSONB NOT NULL,
    webhook TEXT,
    enabled BOOLEAN NOT NULL DEFAULT TRUE
);

-- What an administrator chose, each part a document.
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    document JSONB NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL
);

-- Yearly numbers.
CREATE TABLE serials (
    name TEXT NOT NULL,
    year BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (name, year)
);

CREATE TABLE cases (
    case_id UUID PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    site TEXT NOT NULL,
    camera TEXT,
    kind TEXT NOT NULL,
    step TEXT NOT NULL,
    suspended_at BIGINT,
    level TEXT NOT NULL,
    department TEXT,
    opened_at BIGINT NOT NULL,
    opened_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    closed_at BIGINT,
    step_since BIGINT NOT NULL,
    step_due BIGINT,
    due BIGINT,
    warn_at BIGINT,
    escalate_at BIGINT,
    place JSONB,
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    place_text TEXT,
    note TEXT,
    reopened BIGINT NOT NULL,
    merged_into UUID,
    follows UUID,
    sequence BIGINT NOT NULL
);
CREATE INDEX cases_newest ON cases (opened_at DESC, case_id DESC);
CREATE INDEX cases_of_site ON cases (site, opened_at DESC, case_id DESC);
CREATE INDEX cases_open ON cases (step_due) WHERE closed_at IS NULL;
CREATE INDEX cases_to_warn ON cases (warn_at) WHERE warn_at IS NOT NULL;
CREATE INDEX cases_to_escalate ON cases (escalate_at) WHERE escalate_at IS NOT NULL;

-- Each deed to a case. Nothing updates or deletes here.
CREATE TABLE case_history (
    case_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    from_step TEXT,
    to_step TEXT NOT NULL,
    reason TEXT,
    department TEXT,
    level TEXT NOT NULL,
    due BIGINT,
    detail JSONB NOT NULL,
    PRIMARY KEY (case_id, sequence)
);

-- The case that an incident belongs to.
ALTER TABLE incidents ADD COLUMN case_id UUID;
CREATE INDEX incidents_of_case ON incidents (case_id) WHERE case_id IS NOT NULL;

-- 《执法交办单》: what was ordered, as it was when it was issued. Nothing updates or deletes here.
CREATE TABLE orders (
    number TEXT PRIMARY KEY,
    case_id UUID NOT NULL,
    department TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    issued_by TEXT NOT NULL,
    due BIGINT,
    instruction TEXT,
    document JSONB NOT NULL
);
CREATE INDEX orders_of_case ON orders (case_id, issued_at);

-- What departments answered.
CREATE TABLE answers (
    answer_id UUID PRIMARY KEY,
    case_id UUID NOT NULL,
    order_number TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX answers_of_case ON answers (case_id, at);
CREATE TABLE answer_pictures (
    picture_id UUID PRIMARY KEY,
    answer_id UUID NOT NULL,
    position BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL
);
CREATE INDEX pictures_of_answer ON answer_pictures (answer_id, position);

-- What goes out to other platforms: kept until it is taken.
CREATE TABLE deliveries (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at BIGINT NOT NULL,
    -- A URL, or bus:TOPIC.
    target TEXT NOT NULL,
    document JSONB NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    delivered_at BIGINT,
    error TEXT
);
CREATE INDEX deliveries_pending ON deliveries (next_at) WHERE delivered_at IS NULL;
